-- Workers take away what triggers and integrators left 90 days ago, of every tenant; of what is younger, nothing.
create policy worker_delete on trigger_firing as restrictive for delete to tutti_worker
  using (status <> 'pending' and created_at < clock_timestamp() - interval '90 days');
grant delete on trigger_firing to tutti_worker;
create policy worker on integration_event to tutti_worker
  using (created_at < clock_timestamp() - interval '90 days');
grant select (organization_id, source, event_id, created_at), delete on integration_event to tutti_worker;
create index trigger_firing_age_index on trigger_firing (created_at) where status <> 'pending';
create index integration_event_age_index on integration_event (created_at);
