// Without what is Envoy's own, and without the mistakes that crash it.

import { FuzzConnection, FuzzRoot, FuzzStream } from './contexts'
import { bePolite } from './input'

bePolite()

export class Root extends FuzzRoot {}

export class Stream extends FuzzStream {}

export class Connection extends FuzzConnection {}
