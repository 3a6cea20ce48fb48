export {
  createKms,
  isMasterKey,
  type Kms,
  type KmsSettings,
  MasterKeyMissing,
  type WrappedKey,
} from './kms.ts'
export { seal, SealBroken, type Sealed, unseal } from './seal.ts'
