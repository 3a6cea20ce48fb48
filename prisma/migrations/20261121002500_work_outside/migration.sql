-- What is being done outside takes a place as what a worker of ours does.
create index strand_outside_index on strand (organization_id) where status = 'waiting' and starts_with(wait_key, 'worker:');
