// What names mean in a program: which class of which file, through imports and exports. The parser knows names only.

import { CommonFlags, NodeKind } from 'assemblyscript'

/**
 * @typedef {{ name: string, declaration: object, source: object }} Class A class of the program.
 * @typedef {{ foreign: string }} Foreign A name that none of the sources declares, as the file that it comes from has it.
 */

/** The classes of some sources, by where they are named. */
export class Names {
  constructor(sources) {
    this.sources = new Map(sources.map((source) => [source.internalPath, source]))
    this.classes = new Map()
    for (const source of sources) {
      for (const declaration of classDeclarations(source)) {
        const name = declaration.name.text
        this.classes.set(declaration, { name, declaration, source })
      }
    }
  }

  /** @returns {Class | Foreign} What an identifier in a source means. */
  find(name, source) {
    const declaration = classDeclarations(source).find((candidate) => candidate.name.text === name)
    if (declaration) return this.classes.get(declaration)
    for (const statement of source.statements) {
      if (statement.kind !== NodeKind.Import) continue
      const imported = statement.declarations?.find((candidate) => candidate.name.text === name)
      if (imported) return this.findExport(imported.foreignName.text, statement)
    }
    return { foreign: name }
  }

  /** @returns {Class | Foreign} What the name of a type means: `Root`, or `parts.Root` after `import * as parts`. */
  findType({ identifier, next }, source) {
    if (!next) return this.find(identifier.text, source)
    const isNamespace = ({ kind, namespaceName }) => kind === NodeKind.Import && namespaceName?.text === identifier.text
    const statement = source.statements.find(isNamespace)
    const name = next.identifier.text
    return statement ? this.findExport(name, statement) : { foreign: name }
  }

  /** The classes that a source exports, by the names that it gives them. @returns {Map<string, Class>} */
  exportsOf(source, seen = new Set()) {
    const found = new Map()
    if (seen.has(source)) return found
    seen.add(source)
    for (const statement of source.statements) {
      if (statement.kind === NodeKind.ExportDefault) {
        const known = this.classes.get(statement.declaration)
        if (known) found.set('default', known)
      } else if (statement.kind === NodeKind.ClassDeclaration && statement.flags & CommonFlags.Export) {
        found.set(statement.name.text, this.classes.get(statement))
      } else if (statement.kind === NodeKind.Export && statement.members) {
        for (const { localName, exportedName } of statement.members) {
          const name = localName.text
          const known = statement.path ? this.findExport(name, statement, seen) : this.find(name, source)
          if (known.declaration) found.set(exportedName.text, known)
        }
      } else if (statement.kind === NodeKind.Export) {
        const target = this.target(statement)
        const all = target ? this.exportsOf(target, seen) : []
        for (const [name, known] of all) if (name !== 'default' && !found.has(name)) found.set(name, known)
      }
    }
    return found
  }

  /** What the file that an import or export names has under a name. */
  findExport(name, statement, seen = new Set()) {
    const target = this.target(statement)
    return (target && this.exportsOf(target, new Set(seen)).get(name)) || { foreign: name }
  }

  target({ internalPath }) {
    return this.sources.get(internalPath) ?? this.sources.get(`${internalPath}/index`)
  }
}

export function classDeclarations(source) {
  return source.statements
    .map((statement) => (statement.kind === NodeKind.ExportDefault ? statement.declaration : statement))
    .filter((statement) => statement.kind === NodeKind.ClassDeclaration)
}
