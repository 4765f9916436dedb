#!/usr/bin/env bash
# curl speaks REST to the real program: HTTP/1.0, HTTP/1.1, HTTP/2. Prints TAP.
set -uo pipefail
program=${INTEROP_PROGRAM:-$(dirname "${BASH_SOURCE[0]}")/../target/debug/aplomb}
password=opensesame
home=$(mktemp -d)
number=0 failed=0

"$program" serve --lab --lab-password "$password" --https 127.0.0.1:0 --log json \
    --allowed-origins https://crm.example 2>"$home/log" >/dev/null &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$home"' EXIT
port=''
for _ in $(seq 150); do
    port=$(grep -o '"https":"[^"]*"' "$home/log" | grep -oE '[0-9]+"$' | tr -d '"')
    [ -n "$port" ] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
[ -n "$port" ] || { cat "$home/log"; echo '# pass 0'; echo '# fail 1'; exit 1; }
base=https://localhost:$port
# From here on the server's own certificate is trusted, and its name is checked.
curl -sk -o /dev/null -w '%{certs}' "$base/healthz" >"$home/ca.pem"

# Runs curl; the answer's head and body are kept, and $out is what -w printed.
ask() { # curl's arguments
    out=$(curl -sS --max-time 15 --cacert "$home/ca.pem" -D "$home/head" -o "$home/body" "$@" \
        2>"$home/why")
}

check() { # name, condition...
    number=$((number + 1))
    local name=$1
    shift
    if "$@"; then
        echo "ok $number - $name"
    else
        failed=$((failed + 1))
        echo "not ok $number - $name"
        { echo "got: $out"; cat "$home/why" "$home/head" "$home/body"; } 2>/dev/null | sed 's/^/  /'
    fi
}

is() { [ "$out" = "$1" ]; }
head_has() { is "$1" && tr -d '\r' <"$home/head" | grep -qiE "$2"; }
head_lacks() { ! grep -qi "$1" "$home/head"; }
body_has() { is "$1" && grep -qE "$2" "$home/body"; }
body_empty() { is "$1" && [ ! -s "$home/body" ]; }
status='%{http_code}'
agent=(-u "1001:$password")
xml=(-H 'Content-Type: application/xml')
user=$base/finesse/api/User/1001

ask -w "$status" "$base/healthz"
check 'healthz answers 200 when a login would work' is 200
ask -w "$status" "$base/finesse/api/SystemInfo"
check 'SystemInfo needs no password and names the domain' \
    body_has 200 '<xmppDomain>localhost</xmppDomain>'
check 'SystemInfo is XML' head_has 200 '^content-type: application/xml'
ask -w "$status" "${agent[@]}" "$user"
check 'an agent reads himself' body_has 200 '<loginId>1001</loginId>'
ask -w "$status" "$user"
check 'no password: 401 with a challenge' head_has 401 '^www-authenticate: basic realm='
ask -w "$status" -u 1001:wrong "$user"
check 'a wrong password: 401' body_has 401 '<ErrorType>'
cp "$home/body" "$home/wrong"
ask -w "$status" -u nobody:wrong "$user"
check 'an unknown user: 401' is 401
ask -w "$status" "${agent[@]}" "$base/finesse/api/User/1002"
check 'an agent does not read another' is 401
ask -w "$status" -u "admin:$password" "$base/finesse/api/Users"
check 'the administrator lists everybody' body_has 200 '<loginId>1012</loginId>'
ask -w "$status" "${agent[@]}" "$base/finesse/api/User/1001/Dialogs"
check 'an agent without calls has an empty list' body_has 200 '<Dialogs/>'

login='<User><state>LOGIN</state><extension>1001</extension></User>'
ask -w "$status" -X PUT "${agent[@]}" "${xml[@]}" -H 'requestId: r-1' -d "$login" "$user"
check 'signing in: 202 and an empty body' body_empty 202
ask -w "$status" -X PUT "${agent[@]}" "${xml[@]}" -d '<User><state>READY</state></User>' "$user"
check 'ready: 202' body_empty 202
ask -w "$status" "${agent[@]}" "$user"
check 'the state is what was asked for' body_has 200 '<state>READY</state>'
ask -w "$status" -X PUT "${agent[@]}" "${xml[@]}" -d '<User></User>' "$user"
check 'no state: 400 Parameter Missing' body_has 400 '<ErrorType>Parameter Missing</ErrorType>'
ask -w "$status" -X PUT "${agent[@]}" "${xml[@]}" -d '<User><state>' "$user"
check 'broken XML: 400' body_has 400 '<ErrorType>'
ask -w "$status" -X PUT "${agent[@]}" "${xml[@]}" -d '<User><state>ASLEEP</state></User>' "$user"
check 'an unknown state: 400' body_has 400 '<ErrorType>Invalid Input</ErrorType>'
ask -w "$status" -X DELETE "${agent[@]}" "$user"
check 'a method that is not there: 405 with Allow' head_has 405 '^allow: .*PUT'
ask -w "$status" "${agent[@]}" "$base/finesse/api/user/1001"
check 'paths are case-sensitive' is 404

ask -w '%{http_code} %{http_version} %{num_connects}\n' --http1.1 "$base/healthz" \
    -o /dev/null "$base/healthz"
check 'HTTP/1.1 keeps the connection' is $'200 1.1 1\n200 1.1 0'
ask -w '%{http_code} %{num_connects}\n' -0 "${agent[@]}" "$user" -o /dev/null "$user"
check 'HTTP/1.0 closes it after one answer' is $'200 1\n200 1'
ask -w '%{http_code} %{http_version}' --http2 "${agent[@]}" "$user"
check 'HTTP/2 for those who want it' is '200 2'

ask -w "$status" --http1.1 "$base/ws/"
check 'a plain GET of /ws/: 426 with a hint' head_has 426 '^upgrade: websocket'
upgrade=(--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
    -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
xmpp=(-H 'Sec-WebSocket-Protocol: xmpp')
allowed=(-H 'Origin: https://crm.example')
evil=(-H 'Origin: https://evil.example')
preflight=(-X OPTIONS -H 'Access-Control-Request-Method: PUT'
    -H 'Access-Control-Request-Headers: authorization,requestId')
for origin in https://evil.example null "https://localhost.evil.example:$port" https://localhost:1
do
    ask -w "$status" "${upgrade[@]}" "${xmpp[@]}" -H "Origin: $origin" "$base/ws/"
    check "an upgrade for a page of $origin: 403" is 403
done
ask -w "$status" "${upgrade[@]}" "$base/ws/"
check 'an upgrade without the sub-protocol xmpp: 400' is 400
ask -w "$status" --max-time 2 "${upgrade[@]}" "${xmpp[@]}" "${allowed[@]}" "$base/ws"
check 'an upgrade for an allowed page: 101' head_has 101 '^sec-websocket-protocol: xmpp$'
check 'the accept key is that of RFC 6455' \
    head_has 101 '^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$'

ask -w "$status" "${preflight[@]}" "${allowed[@]}" "$user"
check 'a pre-flight of an allowed page' \
    head_has 200 '^access-control-allow-origin: https://crm.example$'
ask -w "$status" "${preflight[@]}" "${evil[@]}" "$user"
check 'a pre-flight of another page gets no permission' head_lacks '^access-control-allow-origin'
feed="node=/finesse/api/User/1001"
ask -w "$status" "${agent[@]}" "$base/feeds/poll?$feed"
check 'a poll tells where now is, and that nothing came' body_has 200 '"cursor":"[^"]+".*"events":\[\]'
cursor=$(grep -oE '"cursor":"[^"]+"' "$home/body" | cut -d'"' -f4)
for version in --http1.1 --http2; do
    curl -sSN "$version" --max-time 15 --cacert "$home/ca.pem" "${agent[@]}" \
        "$base/feeds/sse?$feed" >"$home/followed" 2>"$home/why" &
    follower=$!
    for _ in $(seq 100); do grep -q '^id: ' "$home/followed" && break; sleep 0.1; done
    state=$([ "$version" = --http2 ] && echo READY || echo NOT_READY)
    ask -X PUT "${agent[@]}" "${xml[@]}" -H "requestId: feed$version" \
        -d "<User><state>$state</state></User>" "$user"
    for _ in $(seq 100); do grep -q '^data: ' "$home/followed" && break; sleep 0.1; done
    kill "$follower" 2>/dev/null
    wait "$follower" 2>/dev/null
    out=$(grep -c "^data: .*\"requestId\":\"feed$version\"" "$home/followed")
    check "curl -N $version follows an agent" is 1
done
ask -w "$status" "${agent[@]}" "$base/feeds/poll?$feed&cursor=$cursor"
check 'who comes back gets both, in order' body_has 200 'feed--http1.1.*feed--http2'
ask -w "$status" -X POST "${agent[@]}" "$base/feeds/token"
token=$(grep -oE '"token":"[^"]+"' "$home/body" | cut -d'"' -f4)
check 'a token for a password' body_has 200 '"expires_in":600'
ask -w "$status" "$base/feeds/longpoll?$feed&cursor=$cursor&wait=5&token=$token" \
    -H 'Accept: application/xml'
check 'a token in the URL opens a feed, here as XML' body_has 200 '^<events cursor='
cp "$home/log" "$home/body"
out=$(grep -c "$token" "$home/log")
check 'no token is logged' is 0

ask -w "$status" "$base/metrics"
check 'metrics on loopback' body_has 200 '^# TYPE '

kill "$server"
wait "$server"
out=$?
check 'SIGTERM ends it with 0' is 0
echo "1..$number"
echo "# pass $((number - failed))"
echo "# fail $failed"
[ "$failed" -eq 0 ]
