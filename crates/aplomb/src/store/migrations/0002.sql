-- All that XEP-0060 configures of a node, who made it and when, and the terms of subscriptions.

ALTER TABLE node ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN deliver_notifications INTEGER NOT NULL DEFAULT 1;
ALTER TABLE node ADD COLUMN item_expire INTEGER;      -- seconds; NULL: with the service's history
ALTER TABLE node ADD COLUMN max_payload_size INTEGER NOT NULL DEFAULT 524288;
ALTER TABLE node ADD COLUMN send_last TEXT NOT NULL DEFAULT 'never';
ALTER TABLE node ADD COLUMN notification_type TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE node ADD COLUMN notify_sub INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN access_model TEXT NOT NULL DEFAULT 'whitelist';
ALTER TABLE node ADD COLUMN roster_groups TEXT NOT NULL DEFAULT '[]';   -- JSON: ["friends"]
ALTER TABLE node ADD COLUMN publish_model TEXT NOT NULL DEFAULT 'publishers';
ALTER TABLE node ADD COLUMN creator TEXT;
ALTER TABLE node ADD COLUMN created INTEGER;          -- milliseconds since 1970 UTC

ALTER TABLE subscription ADD COLUMN state TEXT NOT NULL DEFAULT 'subscribed';
ALTER TABLE subscription ADD COLUMN until INTEGER;    -- milliseconds since 1970 UTC; NULL: for ever
