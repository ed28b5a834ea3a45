import { fsStore } from '../../src/stores/fs.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { inNewFolder } from './new-folder.ts'

const open = async () => {
  const { path, remove } = await inNewFolder()
  const store = fsStore(path)
  return { store, again: async () => fsStore(path), dispose: remove }
}

storeConformance('fsStore', open)
storeModel('fsStore', open)
