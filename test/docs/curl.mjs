// As much of curl as the pages use, for machines without it: `curl [--silent] [--header 'NAME: VALUE'] URL`.

const headers = {}
let url
for (const args = process.argv.slice(2); args.length;) {
  const argument = args.shift()
  if (argument === '--silent') continue
  if (argument === '--header') {
    const [name, ...value] = args.shift().split(':')
    headers[name] = value.join(':').trim()
  } else if (argument.startsWith('-') || url) {
    throw new Error(`this curl does not know ${argument}`)
  } else {
    url = argument
  }
}
process.stdout.write(await (await fetch(url, { headers })).text())
