-- How a subscriber wants his events (XEP-0060 section 6.3).

ALTER TABLE subscription ADD COLUMN deliver INTEGER NOT NULL DEFAULT 1;
ALTER TABLE subscription ADD COLUMN shows TEXT NOT NULL DEFAULT 'online chat away xa dnd';
ALTER TABLE subscription ADD COLUMN lease INTEGER;    -- milliseconds since 1970 UTC; NULL: for ever
