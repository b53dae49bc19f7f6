// Belfry in the place of Steadybit's agent: registering extensions with a hub, and events as Steadybit's platform makes
// them.
import assert from 'node:assert/strict';
import { eventually } from '../hub.mjs';

export const id = (number) => `da059724-a8ae-4b4b-b4f0-${String(number).padStart(12, '0')}`;
export const number = (call) => Number(call.event.id.slice(-12));

const base = (count, eventName) => ({
  id: id(count),
  eventName,
  eventTime: '2026-01-02T03:04:05.678901Z',
  tenant: { key: 'exmpl', name: 'Example Inc.' },
  principal: { principalType: 'user', username: 'tom.mason', name: 'Tom Mason', email: 'tom.mason@example.com' },
});
const place = { environment: { id: 'STG', name: 'Staging' }, team: { id: '7', key: 'ADM', name: 'Administrators' } };
const of = { experimentKey: 'ADM-4', executionId: 34 };
const times = { startedTime: '2026-01-02T03:04:00.1Z', endedTime: '2026-01-02T03:04:05.6+02:00' };

// What the platform sends with an event of this name.
function payload(eventName) {
  const part = /^experiment\.execution\.(step-|target-)?/.exec(eventName);
  if (!part) return {};
  const state = eventName.replace(/^.*[.-]/, '').replace('started', 'running').replace('requested', 'created');
  if (part[1] === 'step-') {
    const action = { type: 'action', actionId: 'com.steadybit.extension_container.stop' };
    return { ...place, experimentStepExecution: { ...of, id: id(1000), ...action, state, ...times } };
  }
  if (part[1] === 'target-') {
    const target = { agentHostname: 'agent-1', targetName: 'web-1', targetType: 'container', targetAttributes: { 'steadybit.label': ['web'] } };
    return { ...place, experimentStepTargetExecution: { ...of, id: id(2000), stepExecutionId: id(1000), state, ...target, ...times } };
  }
  return { ...place, experimentExecution: { ...of, name: 'Rollout', hypothesis: 'none', preparedTime: times.startedTime, state, ...times } };
}

// The text of an event call.
export const event = (count, eventName = 'killswitch.engaged', more = {}) =>
  JSON.stringify({ ...base(count, eventName), ...payload(eventName), ...more });

// As the platform's agent posts it to the hub.
export async function post(hub, body, headers = {}) {
  const answer = await hub.request('POST', '/steadybit/events', body, { 'Content-Type': 'application/json', ...headers });
  assert.deepEqual([answer.status, answer.text], [200, '{}']);
}

export async function postAll(hub, numbers, eventName) {
  for (const count of numbers) await post(hub, event(count, eventName));
}

// Many at once: they are stored together or not at all.
export function postTogether(hub, numbers, eventName = 'killswitch.engaged') {
  const lines = numbers.map((count) => {
    const attributes = { specversion: '1.0', id: id(count), source: '/steadybit/exmpl', type: eventName, datacontenttype: 'application/json' };
    return JSON.stringify({ ...attributes, data: JSON.parse(event(count, eventName)) });
  });
  return hub.call('POST', '/api/v1/events', lines.join('\n'), { 'Content-Type': 'application/x-ndjson' });
}

export const from = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

const at = (name, what = '') => `/api/v1/extensions/${encodeURIComponent(name)}${what}`;

// What is asked for of the extension goes first: { url } or { unixSocket }.
export const register = (hub, document, headers) => hub.call('POST', '/api/v1/extensions', document, headers);
export const registered = (hub, extension, more = {}) =>
  register(hub, { ...(extension.where.path ? { unixSocket: extension.where.path } : { url: extension.url }), ...more });
export const show = (hub, name) => hub.call('GET', at(name));
export const refresh = (hub, name) => hub.call('POST', at(name, '/refresh'));
export const remove = (hub, name) => hub.call('DELETE', at(name));

// Quick retries, so that a test does not wait for the schedule.
export const quick = (...waits) => ({ delivery: { retry: waits.length ? waits : Array(30).fill('20ms') } });
// The same, and a call has no more than a second, the least there is.
export const hasty = { delivery: { ...quick().delivery, timeout: '1s' } };

// The newest first; of this outcome only, if one is named.
export async function attempts(hub, name, wanted) {
  const page = await hub.call('GET', at(name, '/attempts'));
  return page.attempts.filter(({ outcome }) => wanted === undefined || outcome === wanted);
}

export async function deadLetters(hub, name) {
  const page = await hub.call('GET', `/api/v1/dead-letters?subscription=${encodeURIComponent(`steadybit/${name}`)}`);
  return page.dead_letters;
}

// The extension has been given all that is in the log.
export const caughtUp = (hub, name) =>
  eventually(`${name} has no lag`, async () => {
    const shown = await show(hub, name);
    return shown.lag === 0 && shown;
  });

// Listeners as { path: state }.
export const states = (shown) => Object.fromEntries(shown.listeners.map(({ path, state }) => [path, state]));
