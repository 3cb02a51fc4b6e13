import { stringify } from 'yaml';

/**
 * Writes YAML that YAML 1.1 and 1.2 parsers read alike. Kubernetes, Helm and Prometheus read YAML 1.1, in which an unquoted
 * `no` or `on` is a boolean.
 */
export function toYaml(value: unknown): string {
  return stringify(value, { compat: 'yaml-1.1', lineWidth: 0, singleQuote: true });
}
