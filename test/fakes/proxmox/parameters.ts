import { ApiError } from './answers.ts';
import type { HttpRequest } from './http-requests.ts';

export type ParameterRule = {
  readonly type: 'string' | 'boolean' | 'integer';
  readonly optional?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
};

export type Schema = Readonly<Record<string, ParameterRule>>;
export type Parameters = Readonly<Record<string, string>>;

/** Parameters from the query and the body, which pveproxy merges. */
export function readParameters(request: HttpRequest): Record<string, string> {
  const parameters = parseForm(request.query);
  delete parameters['_dc']; // cache buster of Proxmox's own pages
  const fromBody = /^application\/json\b/i.test(request.headers.get('content-type') ?? '')
    ? parseJson(request.body)
    : parseForm(request.body);
  for (const [name, value] of Object.entries(fromBody)) {
    if (name in parameters) throw new ApiError(400, `duplicate parameter '${name}'`);
    parameters[name] = value;
  }
  return parameters;
}

/** Separators are `&` and `;`, `+` is a space, and a value ends at its first unencoded `=`. */
function parseForm(text: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const pair of text.split(/[&;]/).filter(Boolean)) {
    const [name = '', value = ''] = pair.split('=').map((part) => percentDecode(part.replaceAll('+', ' ')));
    parameters[name] = value;
  }
  return parameters;
}

function parseJson(text: string): Record<string, string> {
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text);
    const entries =
      typeof parsed === 'object' && parsed !== null ? Object.entries<unknown>({ ...parsed }) : [];
    return Object.fromEntries(
      entries.map(([name, value]) => [name, value === true ? '1' : value === false ? '0' : String(value)]),
    );
  } catch {
    throw new ApiError(400, 'unable to parse parameters');
  }
}

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

export function verifyParameters(parameters: Parameters, schema: Schema): void {
  const errors: Record<string, string> = {};
  for (const [name, rule] of Object.entries(schema)) {
    const value = parameters[name];
    const problem =
      value === undefined
        ? rule.optional
          ? null
          : 'property is missing and it is not optional'
        : problemOf(value, rule);
    if (problem) errors[name] = problem;
  }
  for (const name of Object.keys(parameters)) {
    if (name in schema) continue;
    errors[name] = 'property is not defined in schema and the schema does not allow additional properties';
  }
  if (Object.keys(errors).length > 0) throw new ApiError(400, 'Parameter verification failed.', errors);
}

function problemOf(value: string, { type, minimum, maximum, maxLength }: ParameterRule): string | null {
  if (type === 'boolean')
    return /^(1|0|on|off|yes|no|true|false)$/i.test(value) ? null : mismatch(type, value);
  if (maxLength !== undefined && value.length > maxLength)
    return `value may only be ${maxLength} characters long`;
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
