import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../../../docs/redis.md', import.meta.url), 'utf8');

/** The ACL rules in docs/redis.md, one word each. */
export function documentedRights(block: 'acl' | 'acl-cluster' | 'acl-sentinel'): string[] {
  const text = page.split(`\`\`\`${block}\n`)[1]?.split('\n```')[0];
  if (!text) throw new Error(`docs/redis.md has no block ${block}.`);
  return text.split(' ');
}
