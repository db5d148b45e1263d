// Checks one rendered report.html as its readers' browsers and screen readers see it; scripts/check-report calls it.
//   node check.mjs REPORT.html [--screenshots DIR]
// Every finding is a line; the exit code is 1 where there is any.
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {HtmlValidate} from 'html-validate';
import {chromium} from 'playwright-core';

const require = createRequire(import.meta.url);
const file = resolve(process.argv[2]);
const shots = process.argv[3] === '--screenshots' ? resolve(process.argv[4]) : '';
const address = pathToFileURL(file).href;
const html = readFileSync(file, 'utf8');
const findings = [];
const find = (where, text) => findings.push(`${where}: ${text}`);

// Markup: two validators, the second being the W3C's.
const validator = new HtmlValidate({
  extends: ['html-validate:standard', 'html-validate:a11y'],
  // The regions that scroll inside a section are no sections of their own.
  rules: {'prefer-native-element': 'off'},
});
for (const result of (await validator.validateFile(file)).results) {
  for (const message of result.messages) {
    find('html-validate', `${message.line}:${message.column} ${message.message} (${message.ruleId})`);
  }
}
try {
  execFileSync('java', ['-jar', require.resolve('vnu-jar/build/dist/vnu.jar'), '--errors-only', '--format', 'gnu', file],
               {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
} catch (error) {
  if (!error.stderr) throw error;
  for (const line of error.stderr.trim().split('\n')) find('vnu', line.replace(/^"[^"]*":/, '').slice(0, 300));
}

const browser = await chromium.launch({
  executablePath: process.env.BITNET_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

/// Opens the report; what it asks for beside itself is a finding.
async function open(where, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('request', (request) => {
    if (request.url() !== address) find(where, `asks for ${request.url().slice(0, 100)}`);
  });
  page.on('console', (message) => find(where, `console says ${message.text().slice(0, 200)}`));
  await page.goto(address);
  return page;
}

/// Runs in the page: texts that leave the page, their chart or their box, or lie over each other.
function misplaced() {
  const found = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} pixels wide, its window ${width}`);
  }
  const name = (element) => JSON.stringify(element.textContent.trim().slice(0, 40));
  for (const svg of document.querySelectorAll('svg[role=img]')) {
    const frame = svg.getBoundingClientRect();
    if (frame.width === 0) continue;
    const boxes = [...svg.querySelectorAll('text')].map((text) => [text, text.getBoundingClientRect()]);
    for (const [text, box] of boxes) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) {
        found.push(`chart ${svg.querySelector('title').id}: the text ${name(text)} leaves the chart`);
      }
    }
    for (let i = 0; i < boxes.length; ++i) {
      for (let j = i + 1; j < boxes.length; ++j) {
        const [a, b] = [boxes[i][1], boxes[j][1]];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 3) {
          found.push(`chart ${svg.querySelector('title').id}: ${name(boxes[i][0])} lies over ${name(boxes[j][0])}`);
        }
      }
    }
    const table = svg.closest('.chart')?.querySelector('table');
    if (!table) found.push(`chart ${svg.querySelector('title').id} has no table of its numbers beneath it`);
  }
  for (const region of document.querySelectorAll('.scroll:has(.cards)')) {
    if (region.scrollWidth > region.clientWidth + 1) {
      found.push(`the table ${JSON.stringify(region.ariaLabel)} is ${region.scrollWidth} pixels wide, its box ` +
                 region.clientWidth);
    }
  }
  const cells = 'th,td,.cell,h1,h2,h3,p,li,dd,figcaption,summary';
  for (const element of document.querySelectorAll(cells)) {
    if (element.closest('.scroll') || element.clientWidth === 0) continue;
    if (element.scrollWidth > element.clientWidth + 1) found.push(`the text ${name(element)} is wider than its box`);
  }
  return found;
}

const looks = [];
for (const width of [400, 800, 1400]) {
  for (const colorScheme of ['light', 'dark']) looks.push({width, colorScheme});
}
for (const {width, colorScheme} of looks) {
  const where = `${width} pixels, ${colorScheme}`;
  const height = width === 400 ? 800 : 900;
  const options = {viewport: {width, height}, colorScheme, javaScriptEnabled: false};
  const page = await open(where, options);
  for (const text of await page.evaluate(misplaced)) find(where, text);
  const below = await page.evaluate(() => document.querySelector('#winners').getBoundingClientRect().bottom);
  if (below > height) find(where, `who wins where ends at ${Math.round(below)} pixels, below the first ${height}`);
  if (shots) {
    mkdirSync(shots, {recursive: true});
    await page.screenshot({path: join(shots, `${width}-${colorScheme}.png`), fullPage: true});
    await page.screenshot({path: join(shots, `${width}-${colorScheme}-first.png`)});
  }
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  for (const text of await page.evaluate(misplaced)) find(`${where}, all opened`, text);
  if (shots) await page.screenshot({path: join(shots, `${width}-${colorScheme}-open.png`), fullPage: true});
  await page.context().close();

  // The checker is a script, so this page alone may run one.
  const scripted = await open(where, {...options, javaScriptEnabled: true, bypassCSP: true});
  await scripted.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  await scripted.addScriptTag({path: require.resolve('axe-core/axe.min.js')});
  const {violations} = await scripted.evaluate(() => globalThis.axe.run());
  for (const violation of violations) {
    const nodes = violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ''}`);
    find(where, `axe ${violation.impact}: ${violation.help} (${violation.nodes.length}), ${nodes.join(' | ')}`);
  }
  await scripted.context().close();
}

// Paper, and the download of the raw results with scripts off.
const plain = await open('print', {javaScriptEnabled: false, viewport: {width: 1400, height: 900}, acceptDownloads: true});
if (shots) await plain.pdf({path: join(shots, 'print.pdf'), preferCSSPageSize: true});
const download = plain.waitForEvent('download', {timeout: 20000});
await plain.click('#results-json');
const saved = readFileSync(await (await download).path());
const embedded = html.match(/<a id="results-json" download="results.json" href="data:application\/json;base64,([^"]*)"/);
if (!embedded || !saved.equals(Buffer.from(embedded[1], 'base64'))) {
  find('download', 'results.json must be the bytes of its link');
}
JSON.parse(saved.toString('utf8'));
if ((await download).suggestedFilename() !== 'results.json') find('download', 'must be named results.json');
await browser.close();

for (const finding of findings) console.log(finding);
console.log(`${file}: ${findings.length} findings, ${html.length} characters`);
process.exit(findings.length > 0 ? 1 : 0);
