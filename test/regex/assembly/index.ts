// Does what its configuration says, command by command (see ../module.ts): sets of regular expressions, path templates and blocks of
// addresses. A line of the log answers each command.
import { ByteString, Configuration, HttpContext, log, RootContext, utf8 } from '@meshscript/sdk'
import { CidrTrie } from '../../../filters/common/assembly/cidr'
import { templateToRegex } from '../../../filters/common/assembly/path_template'
import { RegexSet } from '../../../filters/common/assembly/regex/index'

let set: RegexSet = new RegexSet()
let trie: CidrTrie = new CidrTrie()

enum Command {
  NewSet,
  AddPattern,
  Compile,
  Match,
  NewTrie,
  AddBlock,
  MatchAddress,
  Template,
}

export class Root extends RootContext {
  onConfigure(configuration: Configuration): bool {
    const bytes = configuration.bytes
    for (let at = 0; at < bytes.length;) {
      const length = load<u32>(bytes.ptr + at + 1)
      run(load<u8>(bytes.ptr + at), bytes.slice(at + 5, at + 5 + length))
      at += 5 + length
    }
    return true
  }
}

/** The host wants streams of some kind. */
export class Stream extends HttpContext<Root> {}

function run(command: Command, argument: ByteString): void {
  switch (command) {
    case Command.NewSet:
      set = new RegexSet()
      break
    case Command.AddPattern:
      if (set.add(argument) < 0) log.info(set.error)
      else log.info('')
      break
    case Command.Compile:
      set.compile()
      break
    case Command.Match:
      tell(set.match(argument), set.matched)
      break
    case Command.NewTrie:
      trie = new CidrTrie()
      break
    case Command.AddBlock:
      log.info(trie.add(argument.slice(4), load<i32>(argument.ptr)) ? 'true' : 'false')
      break
    case Command.MatchAddress:
      tell(trie.match(argument), trie.matched)
      break
    default: {
      const regex = templateToRegex(argument)
      log.info(regex ? regex : utf8('refused'))
    }
  }
}

/** The numbers as bytes; nothing but a full stop when there is no answer. */
function tell(count: i32, numbers: StaticArray<i32>): void {
  if (count < 0) log.info('.')
  else log.info(ByteString.at(changetype<usize>(numbers), count << 2))
}
