//! A small contact centre out of nothing.
