import type { Resource } from './attributes.ts'
import { GROUP_SCHEMA } from './group-resource.ts'
import { MOST_RESULTS } from './list-resources.ts'
import { USER_SCHEMA } from './user-resource.ts'

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'
const TYPE_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
const SCHEMA_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'

/** What is offered here, as RFC 7643 (5 to 7) describes it; null for what there is not. */
export function describeService(kind: string, id: string | undefined, base: string): Resource | null {
  switch (kind) {
    case 'ServiceProviderConfig':
      return id === undefined ? serviceProviderConfig(base) : null
    case 'ResourceTypes':
      return oneOf(id, resourceTypes(base))
    case 'Schemas':
      return oneOf(id, schemas(base))
    default:
      return null
  }
}

function oneOf(id: string | undefined, resources: (Resource & { id: string })[]): Resource | null {
  if (id !== undefined) return resources.find((each) => each.id === id) ?? null
  return {
    schemas: [LIST_SCHEMA],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

const serviceProviderConfig = (base: string): Resource => ({
  schemas: [CONFIG_SCHEMA],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MOST_RESULTS },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'API key',
      description: 'An API key with the scope access:provision, as a bearer token.',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
})

const resourceTypes = (base: string): (Resource & { id: string })[] =>
  [
    { id: 'User', endpoint: '/Users', description: 'A person.', schema: USER_SCHEMA },
    { id: 'Group', endpoint: '/Groups', description: 'People under one name.', schema: GROUP_SCHEMA },
  ].map((type) => ({
    schemas: [TYPE_SCHEMA],
    name: type.id,
    ...type,
    schemaExtensions: [],
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${type.id}` },
  }))

const attribute = (name: string, description: string, more: Resource = {}): Resource => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
})

const READ_ONLY = { mutability: 'readOnly' }

const schemas = (base: string): (Resource & { id: string })[] =>
  [
    {
      id: USER_SCHEMA,
      name: 'User',
      description: 'A person.',
      attributes: [
        attribute('userName', 'The name by which the directory knows them.', {
          required: true,
          uniqueness: 'server',
        }),
        attribute('externalId', 'Their id in the directory.', { caseExact: true }),
        attribute('displayName', 'What people call them.'),
        attribute('title', 'What they are.'),
        attribute('active', 'Whether they may come in.', { type: 'boolean' }),
        attribute('name', 'The parts of their name.', {
          type: 'complex',
          subAttributes: [
            attribute('formatted', 'All of it.'),
            attribute('familyName', 'The family name.'),
            attribute('givenName', 'The given name.'),
          ],
        }),
        attribute('emails', 'Where they get mail.', {
          type: 'complex',
          multiValued: true,
          subAttributes: [
            attribute('value', 'The address.'),
            attribute('type', 'As work or home.'),
            attribute('primary', 'Whether it is the one to use.', { type: 'boolean' }),
          ],
        }),
        attribute('groups', 'The groups they are in.', {
          type: 'complex',
          multiValued: true,
          ...READ_ONLY,
          subAttributes: [
            attribute('value', 'The id.', { caseExact: true, ...READ_ONLY }),
            attribute('$ref', 'The address.', { type: 'reference', referenceTypes: ['Group'], ...READ_ONLY }),
            attribute('display', 'The name.', READ_ONLY),
            attribute('type', 'direct.', READ_ONLY),
          ],
        }),
      ],
    },
    {
      id: GROUP_SCHEMA,
      name: 'Group',
      description: 'People under one name.',
      attributes: [
        attribute('displayName', 'The name.', { required: true, uniqueness: 'server' }),
        attribute('externalId', 'Its id in the directory.', { caseExact: true }),
        attribute('members', 'Who is in it.', {
          type: 'complex',
          multiValued: true,
          subAttributes: [
            attribute('value', 'The id.', { caseExact: true, mutability: 'immutable' }),
            attribute('$ref', 'The address.', { type: 'reference', referenceTypes: ['User'], ...READ_ONLY }),
            attribute('display', 'The name.', READ_ONLY),
            attribute('type', 'User.', READ_ONLY),
          ],
        }),
      ],
    },
  ].map((schema) => ({
    schemas: [SCHEMA_SCHEMA],
    ...schema,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema.id}` },
  }))
