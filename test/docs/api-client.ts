import { fileURLToPath } from 'node:url';
import { generateApi } from 'swagger-typescript-api';

const openApi = fileURLToPath(new URL('../../docs/openapi.yaml', import.meta.url));
/** The client for TypeScript programs. */
export const clientFile = fileURLToPath(new URL('../../docs/client/porthole.ts', import.meta.url));

/** Generates the client from the API's description. */
export async function generateClient(): Promise<string> {
  const { files } = await generateApi({
    input: openApi,
    output: false,
    fileName: 'porthole.ts',
    silent: true,
    // Node runs TypeScript only without enums.
    generateUnionEnums: true,
    defaultResponseAsSuccess: false,
    hooks: {
      onCreateRouteName(_name, { method, route }) {
        const name = nameOf(method, route);
        return { usage: name, original: name, duplicate: false };
      },
    },
  });
  const [file] = files;
  if (!file) throw new Error('The generator made no file.');
  return file.fileContent;
}

/** `DELETE /sessions/{id}` is `deleteSessionsById`. The description has no names of its own. */
function nameOf(method: string, route: string): string {
  const parts = route.split('/').filter((part) => part !== '');
  const words = parts.filter((part) => !/^[{$:]/.test(part)).flatMap((part) => part.split('-'));
  const last = parts.at(-1) ?? '';
  const name = [method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join(
    '',
  );
  return /^[{$:]/.test(last) ? `${name}ById` : name;
}
