-- Who put somebody in which of their groups; none of before.
alter table principal add column groups_given jsonb;
