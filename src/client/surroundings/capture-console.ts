type Method = 'log' | 'info' | 'debug' | 'warn' | 'error'

/** Where the methods of a console write. */
const methods: Readonly<Record<'stdout' | 'stderr', readonly Method[]>> = {
  stdout: ['log', 'info', 'debug'],
  stderr: ['warn', 'error'],
}

/** Takes a copy of what goes to the console, which shows it as ever; the function it gives ends that. */
export function captureConsole(
  stream: 'stdout' | 'stderr',
  take: (text: string) => void,
  format: (args: readonly unknown[]) => string = formatPlainly,
): () => void {
  let open = true
  const undo = methods[stream].map((method) => {
    const before = console[method]
    const captured = (...args: unknown[]) => {
      before.apply(console, args)
      if (open) take(`${format(args)}\n`)
    }
    console[method] = captured
    return () => {
      // Somebody else may have put theirs on top since: then ours stays below, and only passes on.
      if (console[method] === captured) console[method] = before
    }
  })
  return () => {
    open = false
    for (const one of undo) one()
  }
}

/** Text as it is, errors by their stack, anything else as JSON where it has some. */
function formatPlainly(args: readonly unknown[]): string {
  return args.map(textOf).join(' ')
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return value.stack ?? String(value)
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch (error) {
    // Cycles, bigints: the console shows them, a line of text says what it is.
    if (error instanceof TypeError) return Object.prototype.toString.call(value)
    throw error
  }
}
