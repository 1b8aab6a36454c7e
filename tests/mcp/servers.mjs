// Servers to put behind the gateway, made with the official SDK. Each answers on a free port.
import http from 'node:http';
import { McpServer, ResourceTemplate, createMcpHandler } from '@modelcontextprotocol/server';
import * as z from 'zod';

const red = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const silence = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const text = (words) => ({ content: [{ type: 'text', text: words }] });

// What the conformance suite asks of a server under test, as far as one factory serves both eras.
function everything() {
  const server = new McpServer({ name: 'gatehouse-test-server', version: '1.0.0' },
    { capabilities: { logging: {}, tools: {}, resources: {}, prompts: {}, completions: {} } });
  const tool = (name, description, run, inputSchema = z.object({})) =>
    server.registerTool(name, { description, inputSchema }, run);
  tool('test_simple_text', 'Gives a text', () => text('This is a simple text response for testing.'));
  tool('test_image_content', 'Gives an image', () => ({ content: [{ type: 'image', data: red, mimeType: 'image/png' }] }));
  tool('test_audio_content', 'Gives a sound', () => ({ content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }] }));
  tool('test_embedded_resource', 'Gives a resource', () => ({ content: [{ type: 'resource',
    resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } }] }));
  tool('test_multiple_content_types', 'Gives several kinds', () => ({ content: [
    { type: 'text', text: 'Multiple content types test:' }, { type: 'image', data: red, mimeType: 'image/png' },
    { type: 'resource', resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data","value":123}' } }] }));
  tool('test_error_handling', 'Fails', () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }));
  tool('test_tool_with_progress', 'Says how far it is', async (_, context) => {
    const token = context?.mcpReq?._meta?.progressToken;
    for (const progress of [0, 50, 100])
      if (token !== undefined) await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress, total: 100 } });
    return text('Tool with progress executed successfully');
  });
  server.registerResource('static-text', 'test://static-text', { mimeType: 'text/plain' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] }));
  server.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: red }] }));
  server.registerResource('template', new ResourceTemplate('test://template/{id}/data', { list: undefined }), { mimeType: 'application/json' },
    (uri, { id }) => ({ contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] }));
  const say = (words) => ({ messages: [{ role: 'user', content: { type: 'text', text: words } }] });
  server.registerPrompt('test_simple_prompt', { description: 'A prompt' }, () => say('This is a simple prompt for testing.'));
  server.registerPrompt('test_prompt_with_arguments', { description: 'A prompt with arguments',
    argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
  ({ arg1, arg2 }) => say(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`));
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image' }, () => ({ messages: [
    { role: 'user', content: { type: 'image', data: red, mimeType: 'image/png' } }, ...say('Please analyze the image above.').messages] }));
  return server;
}

// Some tools, which `state` can change while it runs.
function changing(state) {
  return () => {
    const server = new McpServer({ name: 'changing', version: '1.0.0' });
    server.registerTool('send_note', { description: state.description, inputSchema: z.object({ to: z.string(), text: z.string() }) },
      ({ to, text: words }) => { state.calls.push({ to, words }); return text(`sent to ${to}: ${words}`); });
    server.registerTool('read_notes', { description: 'Reads the notes', inputSchema: z.object({}) },
      () => { state.calls.push('read'); return text(state.notes ?? 'no notes'); });
    return server;
  };
}

export class TestServer {
  // legacy: 'stateless' (both eras) or 'reject' (modern only).
  static async start(factory, { legacy = 'stateless' } = {}) {
    const made = new TestServer();
    made.requests = [];
    const handler = createMcpHandler(factory, { legacy });
    made.notify = handler.notify;
    made.left = 0;  // requests whose client went before the end
    made.http = http.createServer(async (request, response) => {
      const body = [];
      for await (const piece of request) body.push(piece);
      made.requests.push({ method: request.method, headers: request.headers, body: Buffer.concat(body).toString() });
      if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? '')) return response.writeHead(403).end();
      const gone = new AbortController();
      response.on('close', () => { if (!response.writableFinished) ++made.left; gone.abort(); });
      const answer = await handler.fetch(new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method, headers: request.headers, signal: gone.signal,
        body: ['GET', 'HEAD', 'DELETE'].includes(request.method) ? undefined : Buffer.concat(body) }));
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (!answer.body) return response.end();
      for await (const piece of answer.body) if (!response.write(piece)) await new Promise((done) => response.once('drain', done));
      response.end();
    });
    await new Promise((ready) => made.http.listen(0, '127.0.0.1', ready));
    made.url = `http://127.0.0.1:${made.http.address().port}/mcp`;
    return made;
  }
  stop() { this.http.closeAllConnections(); this.http.close(); }
}
export const startEverything = (options) => TestServer.start(everything, options);
export const startChanging = (state, options) => TestServer.start(changing(state), options);
