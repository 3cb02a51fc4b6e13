import { fileURLToPath } from 'node:url';

/** Path of the chart, with a trailing slash. */
export const chartFolder = fileURLToPath(new URL('../../helm/porthole/', import.meta.url));
