// Only where there are files are there files of configuration: no page brings a reader of YAML.
export { parse } from 'yaml'
