import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formBody } from '../../src/client/api/form-body.ts'

const name = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n"]/g, '') || 'x')
const part = fc.oneof(
  fc.record({ name, value: fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\r\n?|\n/g, '\r\n')) }),
  fc.record({ name, fileName: name, bytes: fc.uint8Array({ maxLength: 300 }), type: fc.constantFrom('', 'text/csv') }),
)

test('any form is read back by the platform as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      const form = new FormData()
      for (const one of parts)
        if ('value' in one) form.append(one.name, one.value)
        else form.append(one.name, new Blob([one.bytes], { type: one.type }), one.fileName)
      const { body, headers } = formBody(form)
      const again = await new Response(body, { headers }).formData()
      expect(await told(again)).toEqual(await told(form))
    }),
  )
})

test('names with quotes and line breaks cannot begin a header', async () => {
  const form = new FormData()
  form.append('a"\r\nb', new Blob(['x']), 'c"\n.txt')
  const text = await formBody(form).body.text()
  expect(text).toContain('name="a%22%0D%0Ab"; filename="c%22%0A.txt"')
})

async function told(form: FormData): Promise<unknown[]> {
  const all: unknown[] = []
  for (const [name, value] of form)
    all.push(
      typeof value === 'string'
        ? { name, value }
        : { name, fileName: value.name, bytes: new Uint8Array(await value.arrayBuffer()) },
    )
  return all
}
