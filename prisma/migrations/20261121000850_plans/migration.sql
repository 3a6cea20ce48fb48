-- A worker writes the plan of an agent as a version of the run's workflow, with a number below zero.
grant insert on workflow_version to tutti_worker;
create index workflow_version_id_index on workflow_version (id);
