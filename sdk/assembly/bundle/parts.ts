import { HttpContextBase, RootContext } from '../context'

/** What is known of a part at build time, a bit for each. */
export enum PartTraits {
  None = 0,
  /** It has the callback, so a body that another one holds has to lie where this one can see it. */
  RequestBody = 1,
  ResponseBody = 2,
  /** Its root context makes the contexts of streams by itself. */
  MakesContexts = 4,
  /** It logs streams, those also whose requests have not come to it. */
  Log = 8,
}

/** One filter of the bundle, in the order of the chain. */
@final
export class Part {
  constructor(
    /** The member of the bundle's configuration that is the filter's. */
    readonly name: string,
    readonly traits: PartTraits,
    readonly makeRoot: () => RootContext,
    /** Null where the filter has no class for streams. */
    readonly makeHttp: (() => HttpContextBase) | null,
  ) {}
}

export const parts: Part[] = []

/** Called by the entry that the build makes, for each filter in turn. */
export function addPart(
  name: string,
  traits: PartTraits,
  makeRoot: () => RootContext,
  makeHttp: (() => HttpContextBase) | null,
): void {
  parts.push(new Part(name, traits, makeRoot, makeHttp))
}
