//! Random names and keys, from the operating system's generator.

use aws_lc_rs::rand;

/// Fills an array with random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// A name of `length` lower-case letters and digits; 25 of them carry over 128 bits.
pub fn name(length: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut name = String::with_capacity(length);
    while name.len() < length {
        for byte in bytes::<32>().into_iter().take(length - name.len()) {
            name.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
    }
    name
}
