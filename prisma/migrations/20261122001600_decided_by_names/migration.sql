-- By which names a stage asked whoever decided; null: nobody did, or it was before these were kept.
alter table approval_decision add column named_by jsonb;
