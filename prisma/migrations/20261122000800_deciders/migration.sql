-- Who may decide: who made a key is known, and a link goes only where its person is told by themselves.
-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "created_by" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "decision_link" ADD COLUMN     "notification_id" UUID;

-- Whether a provider vouched for them was not kept: they are back with the next login, if it does.
update principal set email = null where directory_at is null and issuer is not null and email is not null;
