import { Argument, Command } from 'commander'
import { type Io } from '../terminal.ts'

type Shell = (typeof shells)[number]

const shells = ['bash', 'zsh', 'fish'] as const

const installation = `
Installation:
  bash  meshscript completion bash > ~/.meshscript-completion.bash
        echo '. ~/.meshscript-completion.bash' >> ~/.bashrc
  zsh   meshscript completion zsh > "\${fpath[1]}/_meshscript"
  fish  meshscript completion fish > ~/.config/fish/completions/meshscript.fish
Then open a new shell. The script asks nothing of meshscript itself: make it
again after an update. It completes the command meshscript (npm install --global
meshscript), not npx meshscript.`

/** `meshscript completion`: a script by which a shell completes commands, options and their values. */
export function completionCommand(io: Io): Command {
  return new Command('completion')
    .description('Print the script by which a shell completes commands, options, their values and files.')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(shells))
    .addHelpText('after', installation)
    .action((shell: Shell) => run(shell, io))
}

async function run(shell: Shell, io: Io): Promise<void> {
  const [{ createWholeProgram }, { modelOf }, scriptOf] = await Promise.all([
    import('../program.ts'),
    import('../completion/model.ts'),
    scripts[shell](),
  ])
  io.stdout.write(scriptOf(modelOf(await createWholeProgram(io))))
}

const scripts = {
  bash: () => import('../completion/bash.ts').then(({ bashScript }) => bashScript),
  zsh: () => import('../completion/zsh.ts').then(({ zshScript }) => zshScript),
  fish: () => import('../completion/fish.ts').then(({ fishScript }) => fishScript),
}
