// The header filter of examples/hello as it is, beside a plugin that measures.

import { Hello } from '../../../examples/hello/assembly/index'
import { MeasuredRoot } from './memory'

export class Root extends MeasuredRoot {}

export class MeasuredHello extends Hello {}
