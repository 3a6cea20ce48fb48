-- What a worker outside is given of a governed task: as people approved it, without what policies hide.
alter table task add column given jsonb;
