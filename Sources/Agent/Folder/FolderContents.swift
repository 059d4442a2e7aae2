import PolicyAPI
import Support

/// The good objects of the files of a folder, by key, in the order of the paths.
struct FolderContents: Sendable {
    /// An object and the file that answers for it.
    struct Held: Hashable, Sendable {
        var object: ClusterObject
        var origin: ObjectOrigin
        var file: String

        init(_ object: ClusterObject, in file: String) {
            self.object = object
            self.file = file
            origin = .manifest(object.metadata.location ?? .whole(PrintableName.of(file)))
        }
    }

    /// The first object of each key.
    private(set) var first: [ObjectKey: Held] = [:]
    /// The others.
    private(set) var repeated: [Held] = []

    init(_ files: FolderSnapshot) {
        first.reserveCapacity(files.values.reduce(0) { $0 + $1.objects.count })
        for (file, content) in files.sorted(by: { $0.key < $1.key }) {
            for object in content.objects {
                let held = Held(object, in: file)
                if first[object.key] == nil { first[object.key] = held } else { repeated.append(held) }
            }
        }
    }
}
