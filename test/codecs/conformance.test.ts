import { codecConformance } from '../conformance/codecs.ts'

codecConformance()
