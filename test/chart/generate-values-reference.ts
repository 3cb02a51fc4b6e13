import { writeFileSync } from 'node:fs';
import { chartFolder } from './chart-folder.ts';
import { generateValuesReference } from './values-reference.ts';

/** `npm run chart:values`: generates the schema and the table in the README. A test fails if they are out of date. */
const { schema, readme } = await generateValuesReference();
writeFileSync(`${chartFolder}values.schema.json`, schema);
writeFileSync(`${chartFolder}README.md`, readme);
