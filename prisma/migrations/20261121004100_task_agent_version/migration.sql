-- Which version of its agent did a task: written with what the attempt came to, since only then is it known.
alter table task add column agent_version integer;
