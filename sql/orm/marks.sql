-- name: announce
-- Tells the transaction who writes, until it ends: the mark `user_id` becomes the setting `starling.user_id`.
-- Where nobody announced, current_setting('starling.user_id', true) is null, or '' on a connection where somebody did
-- before. $1 are names, $2 values.
SELECT set_config('starling.' || mark.name, mark.value, true) FROM unnest($1::text[], $2::text[]) AS mark (name, value);
