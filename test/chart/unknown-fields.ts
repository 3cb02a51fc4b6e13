import * as client from '@kubernetes/client-node';
import type { Manifest } from './render.ts';

interface Model {
  getAttributeTypeMap(): readonly { baseName: string; type: string }[];
}
const models = client as unknown as Readonly<Record<string, Model | undefined>>;
const builtIn = /^(v1|(apps|batch|policy|autoscaling)\/v\d|(networking|rbac\.authorization)\.k8s\.io\/v1)$/;

/** Fields that Kubernetes does not know, and scalars of the wrong type; undefined for kinds that it does not bring. */
export function unknownFields(object: Manifest): readonly string[] | undefined {
  if (!builtIn.test(object.apiVersion)) return undefined;
  const version = object.apiVersion === 'autoscaling/v2' ? 'V2' : 'V1';
  return [...walk(`${version}${object.kind}`, object, object.kind)];
}

function* walk(type: string, value: unknown, path: string): Generator<string> {
  if (value === null || value === undefined) return;
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return yield `${path}: is no list`;
    for (const [index, item] of value.entries()) yield* walk(list, item, `${path}[${index}]`);
  } else if (map !== undefined) {
    for (const [key, item] of Object.entries(value)) yield* walk(map, item, `${path}.${key}`);
  } else if (['string', 'number', 'boolean'].includes(type)) {
    if (typeof value !== type) yield `${path}: is no ${type}`;
  } else if (!['any', 'object', 'Date', 'IntOrString'].includes(type)) {
    const model = models[type];
    if (!model?.getAttributeTypeMap) return yield `${path}: there is no model of ${type}`;
    const types = new Map(model.getAttributeTypeMap().map((one) => [one.baseName, one.type]));
    for (const [key, item] of Object.entries(value)) {
      const known = types.get(key);
      if (known === undefined) yield `${path}.${key}: is unknown`;
      else yield* walk(known, item, `${path}.${key}`);
    }
  }
}
