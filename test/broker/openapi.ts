import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { z } from 'zod';

/** docs/openapi.yaml, as far as the tests hold the broker against it. */
const responseOf = z.union([
  z.object({ $ref: z.string() }),
  z.object({
    description: z.string(),
    headers: z.record(z.string(), z.object({ required: z.literal(true).optional() })).optional(),
    content: z.record(z.string(), z.unknown()).optional(),
  }),
]);
const operation = z.object({ summary: z.string(), responses: z.record(z.string(), responseOf) });
const file = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.object({
      get: operation.optional(),
      post: operation.optional(),
      put: operation.optional(),
      delete: operation.optional(),
    }),
  ),
  components: z.object({ responses: z.record(z.string(), responseOf) }),
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface OpenApi {
  /** `GET /me` and so on. */
  readonly operations: readonly string[];
  /** The operation that a request asks for: `/api/v1/consoles/lab/100/power` is that of `{cluster}` and `{vmid}`. */
  operationAt(method: string, path: string): string | undefined;
  statusesOf(operation: string): readonly string[];
  /** What is wrong with an answer; undefined: it is as the file says. */
  faultOf(operation: string, answer: Answer): string | undefined;
}

export function readOpenApi(): OpenApi {
  const raw: unknown = parse(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));
  const { paths, components } = file.parse(raw);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ ...(raw as object), $id: 'file:///openapi.yaml' });
  const compiled = new Map<string, ValidateFunction>();

  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    (['get', 'post', 'put', 'delete'] as const).flatMap((method) => {
      const found = methods[method];
      return found ? [[`${method.toUpperCase()} ${path}`, { path, method, ...found }] as const] : [];
    }),
  );
  const byName = new Map<string, (typeof operations)[number][1]>(operations);

  // `/me/logins` before `/me/{id}`: the template with fewer parameters is the more specific one.
  const templates = Object.keys(paths)
    .toSorted((one, other) => one.split('{').length - other.split('{').length)
    .map((path) => ({
      path,
      pattern: new RegExp(`^/api/v1${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }));

  function validatorAt(pointer: string): ValidateFunction {
    const known = compiled.get(pointer);
    if (known) return known;
    const made = ajv.compile({ $ref: `file:///openapi.yaml#${pointer}` });
    compiled.set(pointer, made);
    return made;
  }

  /** The file says once, for all operations, that each can respond 500. */
  const unexpected = { $ref: '#/components/responses/Problem' };

  return {
    operations: operations.map(([name]) => name),
    operationAt(method, url) {
      const path = url.split(/[?#]/, 1)[0] ?? '';
      const name = templates.find(({ pattern }) => pattern.test(path))?.path;
      const operation = `${method} ${name}`;
      return byName.has(operation) ? operation : undefined;
    },
    statusesOf: (name) => Object.keys(byName.get(name)?.responses ?? {}),
    faultOf(name, { status, headers, text }) {
      const found = byName.get(name);
      const given = status === 500 && found ? unexpected : found?.responses[status];
      if (!found || !given) return `${name} answers ${status}, which the file does not say: ${text}`;
      const shared = '$ref' in given ? given.$ref.replace('#/components/responses/', '') : undefined;
      const response = shared === undefined ? given : components.responses[shared];
      if (!response || '$ref' in response) return `${name} ${status} refers to nothing`;
      const missing = Object.entries(response.headers ?? {}).flatMap(([header, { required }]) =>
        required && headers[header] === undefined ? [header] : [],
      );
      if (missing.length > 0) return `${name} ${status} lacks ${missing.join()}`;
      const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
      if (!response.content)
        return text === '' || status === 303 ? undefined : `${name} ${status} has a body: ${text}`;
      if (!(type in response.content)) return `${name} ${status} is ${type}`;
      if (!type.endsWith('json')) return undefined;
      const place =
        shared === undefined
          ? `/paths/${escape(found.path)}/${found.method}/responses/${status}`
          : `/components/responses/${shared}`;
      const validate = validatorAt(`${place}/content/${escape(type)}/schema`);
      const body: unknown = JSON.parse(text);
      if (validate(body)) return undefined;
      return `${name} ${status}: ${ajv.errorsText(validate.errors)} in ${text}`;
    },
  };
}

/** A part of a JSON pointer in a URI (RFC 6901 section 6). */
const escape = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
