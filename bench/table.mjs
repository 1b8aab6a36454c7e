// The results of bench/run as Markdown.
const variants = ['direct', 'nginx', 'bare', 'on, relaxed', 'on, strict'];
const round = (value, digits = 0) => value.toFixed(digits);
const thousands = (value) => Math.round(value).toLocaleString('en-US');
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i < 2 ? '---' : '--:'))), ...rows.map(row)].join('\n');

function shapes(results) {
  return [...new Set(Object.keys(results.cells).filter((id) => /\d$/.test(id)).map((id) => id.replace(/ \d+$/, '')))];
}

function throughput(results) {
  const rows = [];
  for (const shape of shapes(results)) {
    const cell = results.cells[`${shape} 64`];
    for (const name of variants) {
      const one = cell[name];
      rows.push([shape, name, thousands(one.rps), round(one.rps / cell.nginx.rps, 2), one.cpu ? round(one.cpu, 1) : '–',
        one.cpu ? thousands(1e6 / one.cpu) : '–', one.cpu ? `${round(Math.min(one.cpu * one.rps / 1e4, 100))} %` : '–',
        thousands(one.p50), thousands(one.p99)]);
    }
  }
  return table(['body', 'variant', 'requests/s', 'of nginx', 'CPU µs a request', 'requests/s a core', 'core busy', 'p50 µs', 'p99 µs'], rows);
}

function latency(results) {
  const rows = [];
  for (const shape of shapes(results)) {
    const cell = results.cells[`${shape} 1`];
    for (const name of variants) {
      const one = cell[name];
      rows.push([shape, name, round(one.p50), round(one.p99),
        name === 'direct' ? '–' : round(one.p50 - cell.direct.p50), name === 'direct' ? '–' : round(one.p99 - cell.direct.p99)]);
    }
  }
  return table(['body', 'variant', 'p50 µs', 'p99 µs', 'added p50', 'added p99'], rows);
}

function firstText(results) {
  const cell = results.cells['first text'];
  return table(['measure', 'variant', 'p50 µs', 'p99 µs', 'added p50', 'added p99', 'streams'], variants.map((name) => {
    const one = cell[name];
    return ['time to first text', name, round(one.text_p50), round(one.text_p99), round(one.text_p50 - cell.direct.text_p50),
      round(one.text_p99 - cell.direct.text_p99), one.texts];
  }));
}

function memory(results) {
  return table(['process', '', 'at rest MiB', 'peak MiB'],
    Object.entries(results.memory).map(([name, one]) => [name, '', round(one.rest, 1), round(one.peak, 1)]));
}

function targets(results) {
  const rps = results.cells['2k plain 64'];
  const one = results.cells['2k plain 1'];
  const first = results.cells['first text'];
  const added = (name, part) => one[name][part] - one.direct[part];
  const list = [
    ['bare path, requests/s of nginx, 2 KB, 64 connections', rps.bare.rps / rps.nginx.rps, '>=', 0.75, 2],
    ['everything on, relaxed: requests/s a core, 2 KB', 1e6 / rps['on, relaxed'].cpu, '>=', 10_000, 0],
    ['everything on, strict: requests/s a core, 2 KB', 1e6 / rps['on, strict'].cpu, '>=', 10_000, 0],
    ['relaxed, added p50 at concurrency 1, µs', added('on, relaxed', 'p50'), '<=', 100, 0],
    ['relaxed, added p99 at concurrency 1, µs', added('on, relaxed', 'p99'), '<=', 300, 0],
    ['strict over relaxed, p50, in fdatasync', (one['on, strict'].p50 - one['on, relaxed'].p50) / results.sync.p50, '<=', 1.5, 2],
    ['time to first text, relaxed, added p99, µs', first['on, relaxed'].text_p99 - first.direct.text_p99, '<=', 400, 0],
    ['memory at rest with all rules, MiB', results.memory['on, strict'].rest, '<=', 64, 1],
  ];
  return table(['target', 'wanted', 'measured', 'verdict'], list.map(([name, value, relation, wanted, digits]) => {
    const met = relation === '>=' ? value >= wanted : value <= wanted;
    const distance = relation === '>=' ? value / wanted : value / wanted;
    return [name, `${relation} ${thousands(wanted) === '1' ? wanted : wanted}`, round(value, digits), met ? 'met' : `missed, ${round(distance, 2)} times the target`];
  }));
}

function stages(results) {
  return table(['stage', '', 'mean µs'], Object.entries(results.stages).map(([name, micros]) => [name, '', round(micros, 1)]));
}

export function render(results) {
  const { machine, sync } = results;
  return [
    `Measured ${machine.date} at revision ${machine.revision}: ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, nginx ${machine.nginx}; ` +
      `medians of ${machine.rounds} alternating rounds of ${machine.seconds} s. One fdatasync of a 512-byte record in the same folder: ` +
      `${round(sync.p50)} µs median, ${round(sync.p99)} µs p99.`,
    '### Targets', targets(results),
    '### 64 connections', throughput(results),
    '### One connection', latency(results),
    '### Time to first text of a stream (one connection, an event each millisecond, masked prompt)', firstText(results),
    '### Memory', memory(results),
    '### Where the time goes (everything on, strict; wall time a request, over all of the above)', stages(results),
    `The ledger of that run: ${results.ledger.split('\n')[0]}`,
  ].join('\n\n');
}
