import type { Api, CallOptions } from '../api.ts'
import { formBody } from './form-body.ts'
import type { StreamedForm } from './streamed-form.ts'

interface FormOptions extends Omit<CallOptions, 'body'> {
  /** Makes it anew for each attempt. */
  readonly form: () => FormData | StreamedForm
}

/** Sends a form; the parsed JSON of the answer. */
export function sendForm<T>(api: Api, path: string, { form, ...options }: FormOptions): Promise<T> {
  return api.ask('POST', path, options, async (send) => {
    const made = form()
    const { failure, ...sending } = made instanceof FormData ? formBody(made) : made
    try {
      const response = await send(sending)
      return await response.json()
    } catch (error) {
      // What the file says of itself, not what became of the connection because of it.
      throw failure?.() ?? error
    }
  })
}
