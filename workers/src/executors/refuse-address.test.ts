import { expect, test } from 'vitest'
import { isPublicAddress, refuseAddress } from './refuse-address.ts'

test.each([
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0177.0.0.1/',
  'https://0x7f000001/',
  'https://2130706433/',
  'https://0/',
  'https://10.1.2.3/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://255.255.255.255/',
  'https://[::]/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:1::1]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'https://[ff02::1]/',
  'https://[fec0::1]/',
  'https://user@agents.example.com/',
  'https://:secret@agents.example.com/',
  'http://agents.example.com/',
  'ftp://agents.example.com/',
  'file:///etc/passwd',
])('%s is not called', (url) => {
  expect(refuseAddress(url, false)).not.toBeNull()
})

test.each(['https://agents.example.com/classify', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]/'])(
  '%s may be called',
  (url) => {
    expect(refuseAddress(url, false)).toBeNull()
  },
)

test('this machine itself may be called where the installation says so, but never with credentials or by file', () => {
  expect(refuseAddress('http://127.0.0.1:8080/', true)).toBeNull()
  expect(refuseAddress('http://user@127.0.0.1:8080/', true)).not.toBeNull()
  expect(refuseAddress('file:///etc/passwd', true)).not.toBeNull()
})

test('what is no address, or has a zone, is no public address', () => {
  for (const text of ['', 'localhost', '127.1', '2606:4700::1%eth0', '::ffff:8.8.8.8']) {
    expect(isPublicAddress(text), text).toBe(false)
  }
})
