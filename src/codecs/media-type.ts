/** What unknown bytes are called: https://www.rfc-editor.org/rfc/rfc2046#section-4.5.1 */
export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'

// Registered types where there are any (https://www.iana.org/assignments/media-types), else what the format's own project uses.
const byExtension = new Map<string, string>([
  ...typed('text/plain', 'txt log text'),
  ...typed('text/csv', 'csv'),
  ...typed('text/tab-separated-values', 'tsv tab'),
  ...typed('text/markdown', 'md markdown'),
  ...typed('text/html', 'html htm'),
  ...typed('text/css', 'css'),
  ...typed('text/javascript', 'js mjs cjs'),
  ...typed('text/x-typescript', 'ts tsx mts cts'),
  ...typed('text/x-python', 'py'),
  ...typed('text/x-r', 'r'),
  ...typed('text/x-sh', 'sh bash'),
  ...typed('text/x-diff', 'diff patch'),
  ...typed('text/calendar', 'ics'),
  ...typed('text/vtt', 'vtt'),
  ...typed('application/x-subrip', 'srt'),
  ...typed('application/json', 'json'),
  ...typed('application/x-ndjson', 'jsonl ndjson'),
  ...typed('application/geo+json', 'geojson'),
  ...typed('application/x-ipynb+json', 'ipynb'),
  ...typed('application/yaml', 'yaml yml'),
  ...typed('application/toml', 'toml'),
  ...typed('text/x-ini', 'ini cfg conf'),
  ...typed('application/xml', 'xml'),
  ...typed('application/sql', 'sql'),
  ...typed('application/vnd.apache.parquet', 'parquet'),
  ...typed('application/vnd.apache.arrow.file', 'feather'),
  ...typed('application/vnd.apache.arrow.stream', 'arrow arrows'),
  ...typed('application/vnd.apache.avro', 'avro'),
  ...typed('application/vnd.apache.orc', 'orc'),
  ...typed('application/x-npy', 'npy'),
  ...typed('application/x-npz', 'npz'),
  ...typed('application/x-hdf5', 'h5 hdf5 hdf'),
  ...typed('application/netcdf', 'nc'),
  ...typed('application/vnd.sqlite3', 'sqlite sqlite3 db'),
  ...typed('application/vnd.ms-excel', 'xls'),
  ...typed('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'),
  ...typed('application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'),
  ...typed('application/vnd.openxmlformats-officedocument.presentationml.presentation', 'pptx'),
  ...typed('application/pdf', 'pdf'),
  ...typed('application/wasm', 'wasm'),
  ...typed('application/x-onnx', 'onnx ort'),
  ...typed('application/x-safetensors', 'safetensors'),
  ...typed('application/x-gguf', 'gguf'),
  ...typed('application/x-tflite', 'tflite'),
  ...typed('application/x-pytorch', 'pt pth'),
  ...typed('application/x-python-pickle', 'pkl pickle'),
  ...typed('application/x-keras', 'keras'),
  ...typed('application/x-protobuf', 'pb'),
  ...typed('application/zip', 'zip'),
  ...typed('application/gzip', 'gz tgz'),
  ...typed('application/zstd', 'zst'),
  ...typed('application/x-bzip2', 'bz2'),
  ...typed('application/x-xz', 'xz'),
  ...typed('application/x-tar', 'tar'),
  ...typed('application/x-7z-compressed', '7z'),
  ...typed('image/png', 'png'),
  ...typed('image/apng', 'apng'),
  ...typed('image/jpeg', 'jpg jpeg'),
  ...typed('image/webp', 'webp'),
  ...typed('image/avif', 'avif'),
  ...typed('image/gif', 'gif'),
  ...typed('image/bmp', 'bmp'),
  ...typed('image/tiff', 'tif tiff'),
  ...typed('image/svg+xml', 'svg'),
  ...typed('image/heic', 'heic'),
  ...typed('image/x-icon', 'ico'),
  ...typed('audio/mpeg', 'mp3'),
  ...typed('audio/wav', 'wav'),
  ...typed('audio/flac', 'flac'),
  ...typed('audio/ogg', 'ogg oga opus'),
  ...typed('audio/mp4', 'm4a'),
  ...typed('audio/midi', 'mid midi'),
  ...typed('video/mp4', 'mp4 m4v'),
  ...typed('video/webm', 'webm'),
  ...typed('video/quicktime', 'mov'),
  ...typed('video/x-msvideo', 'avi'),
  ...typed('video/x-matroska', 'mkv'),
  ...typed('model/gltf+json', 'gltf'),
  ...typed('model/gltf-binary', 'glb'),
  ...typed('model/obj', 'obj'),
  ...typed('model/stl', 'stl'),
])

const textLike = /^text\/|[/+](?:json|xml|yaml|toml|sql|x-ndjson|x-subrip|javascript)(?:;|$)/

/** The media type of a file by the extension of its name; `application/octet-stream` when that says nothing. */
export function mediaTypeOf(name: string): string {
  const dot = name.lastIndexOf('.')
  // A name that begins with its only dot (`.env`) is hidden, not an extension.
  if (dot <= Math.max(name.lastIndexOf('/') + 1, 0)) return UNKNOWN_MEDIA_TYPE
  return byExtension.get(name.slice(dot + 1).toLowerCase()) ?? UNKNOWN_MEDIA_TYPE
}

/** Whether bytes of this media type are worth showing to people as text. */
export function isTextMediaType(mediaType: string): boolean {
  return textLike.test(mediaType.toLowerCase())
}

function typed(mediaType: string, extensions: string): [string, string][] {
  return extensions.split(' ').map((extension) => [extension, mediaType])
}
