-- What arguments must look like that take the place of those an approval asks for.
alter table approval add column arguments_schema jsonb;
