import { writeFileSync } from 'node:fs';
import { chart, fromValues } from './values.ts';

/** `npm run chart:values`: makes the schema and the table anew. A test fails when one of them is stale. */
const { schema, readme } = await fromValues();
writeFileSync(`${chart}values.schema.json`, schema);
writeFileSync(`${chart}README.md`, readme);
