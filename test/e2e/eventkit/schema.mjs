// The schemas of Steadybit's OpenAPI documents, as functions that say what is wrong with a value.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const data = join(dirname(fileURLToPath(import.meta.url)), 'data');

// Where the documents list properties, they leave out that an object has them.
function sayObject(schema) {
  if (schema === null || typeof schema !== 'object') return;
  if (schema.properties && !schema.type) schema.type = 'object';
  Object.values(schema).forEach(sayObject);
}

function load(version) {
  const text = readFileSync(join(data, `steadybit-openapi-${version}.yml`), 'utf8');
  const document = parse(text);
  sayObject(document);
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addFormat('string', true); // what the documents say of UUIDs
  const faults = (pointer) => {
    const validate = ajv.compile({ ...document, $ref: `#${pointer}` });
    return (value) => (validate(value) ? null : ajv.errorsText(validate.errors));
  };
  return {
    version,
    eventFaults: faults('/components/requestBodies/EventRequestBody/content/application~1json/schema'),
    indexFaults: faults('/components/schemas/EventListenerList'),
  };
}

export const newest = load('1.6.3');
export const early = load('1.3.1');
