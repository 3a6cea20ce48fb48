export { isPublicAddress, NOT_PUBLIC, refuseAddress } from '@tutti/runtime'
