import { memoryStore } from '../../src/stores/memory.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'

const open = async () => {
  const store = memoryStore()
  return { store, again: async () => store, dispose: () => store.close?.() }
}

storeConformance('memoryStore', open)
storeModel('memoryStore', open)
