-- A moment of three digits is rounded, half of the time upwards: what was due now was due up to half a millisecond later,
-- and whoever looked for it at once did not see it.
ALTER TABLE "strand" ALTER COLUMN "due_at" SET DATA TYPE TIMESTAMPTZ(6);
ALTER TABLE "trigger_firing" ALTER COLUMN "due_at" SET DATA TYPE TIMESTAMPTZ(6);
