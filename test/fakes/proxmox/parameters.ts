import { ApiError } from './answers.ts';
import type { HttpRequest } from './http-requests.ts';

export type ParameterRule = {
  readonly type: 'string' | 'boolean' | 'integer';
  readonly optional?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly values?: readonly string[];
};

export type Schema = Readonly<Record<string, ParameterRule>>;
export type Parameters = Readonly<Record<string, string>>;

/** Parameters as sent. One that was sent more than once is a list, which no schema of this API accepts. */
type SentParameters = Record<string, string | readonly string[]>;

/** Parameters from the path, the query and the body. The query replaces what the body has, but not the path. */
export function readParameters(request: HttpRequest, fromPath: Parameters): SentParameters {
  const fromBody = /^application\/json\b/i.test(request.headers.get('content-type') ?? '')
    ? parseJson(request.body)
    : parseForm(request.body);
  const sent = { ...fromBody, ...parseForm(request.query) };
  delete sent['_dc']; // cache buster of Proxmox's own pages
  const conflicts = Object.keys(sent).filter((name) => name in fromPath && sent[name] !== fromPath[name]);
  const problem = 'duplicate parameter (already defined in URI) with conflicting values!';
  if (conflicts.length > 0)
    throw parameterError(Object.fromEntries(conflicts.map((name) => [name, problem])));
  return { ...sent, ...fromPath };
}

/** Separators are `&` and `;`, `+` is a space, and a value ends at its first unencoded `=`. */
function parseForm(text: string): SentParameters {
  const parameters: SentParameters = {};
  for (const pair of text.split(/[&;]/).filter(Boolean)) {
    const [name = '', value = ''] = pair.split('=').map((part) => percentDecode(part.replaceAll('+', ' ')));
    const earlier = parameters[name];
    parameters[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return parameters;
}

function parseJson(text: string): SentParameters {
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text);
    const entries =
      typeof parsed === 'object' && parsed !== null ? Object.entries<unknown>({ ...parsed }) : [];
    return Object.fromEntries(
      entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(textOf) : textOf(value)]),
    );
  } catch {
    throw new ApiError(400, 'unable to parse parameters');
  }
}

const textOf = (value: unknown) => (value === true ? '1' : value === false ? '0' : String(value));

/** Fills a template such as `/vms/{vmid}`. */
export const fill = (template: string, parameters: SentParameters) =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ''));

/** Percent-decoding that keeps invalid escapes, as Perl's does. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

export function verifyParameters(parameters: SentParameters, schema: Schema): Parameters {
  const errors: Record<string, string> = {};
  const verified: Record<string, string> = {};
  for (const [name, rule] of Object.entries(schema)) {
    const value = parameters[name];
    if (typeof value === 'string') verified[name] = value;
    const problem =
      value === undefined
        ? rule.optional
          ? null
          : 'property is missing and it is not optional'
        : typeof value === 'string'
          ? problemOf(value, rule)
          : `type check ('${rule.type}') failed - got ARRAY`;
    if (problem) errors[name] = problem;
  }
  for (const name of Object.keys(parameters)) {
    if (name in schema) continue;
    errors[name] = 'property is not defined in schema and the schema does not allow additional properties';
  }
  if (Object.keys(errors).length > 0) throw parameterError(errors);
  return verified;
}

export const parameterError = (errors: Record<string, string>) =>
  new ApiError(400, 'Parameter verification failed.', errors);

function problemOf(value: string, rule: ParameterRule): string | null {
  const { type, minimum, maximum, maxLength, values } = rule;
  if (type === 'boolean')
    return /^(1|0|on|off|yes|no|true|false)$/i.test(value) ? null : mismatch(type, value);
  if (maxLength !== undefined && value.length > maxLength)
    return `value may only be ${maxLength} characters long`;
  if (values && !values.includes(value))
    return `value '${value}' does not have a value in the enumeration '${values.join(', ')}'`;
  if (type === 'string') return null;
  if (!/^[+-]?\d+$/.test(value)) return mismatch(type, value);
  if (minimum !== undefined && Number(value) < minimum)
    return `value must have a minimum value of ${minimum}`;
  if (maximum !== undefined && Number(value) > maximum)
    return `value must have a maximum value of ${maximum}`;
  return null;
}

const mismatch = (type: string, value: string) => `type check ('${type}') failed - got '${value}'`;

export const isTrue = (value: string | undefined) => value !== undefined && /^(1|on|yes|true)$/i.test(value);
