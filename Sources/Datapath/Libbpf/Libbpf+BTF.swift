import CLibBPF
import Glibc
import SystemPackage

/// Type information, of object files and of maps in the kernel.
extension Libbpf {
    /// Type information that libbpf holds in memory.
    final class TypeInformation {
        let btf: OpaquePointer
        private let isOwned: Bool

        init(_ btf: OpaquePointer, isOwned: Bool) {
            self.btf = btf
            self.isOwned = isOwned
        }

        deinit { if isOwned { btf__free(btf) } }
    }

    /// The type information that a map in the kernel was made with; `nil` when it has none.
    static func types(ofMap info: bpf_map_info, _ name: String) throws(BPFError) -> TypeInformation? {
        guard info.btf_id != 0 else { return nil }
        let btf = try pointer(.queryInfo, "types of \(name)") { btf__load_from_kernel_by_id(info.btf_id) }
        return TypeInformation(btf, isOwned: true)
    }

    /// The key and the value of each map that an object declares; maps without types are left out.
    static func mapLayouts(in object: OpaquePointer) -> [String: MapLayout] {
        guard let btf = bpf_object__btf(object) else { return [:] }
        var layouts: [String: MapLayout] = [:]
        for (name, map) in maps(of: object) where !bpf_map__is_internal(map) {
            layouts[name] = mapLayout(key: bpf_map__btf_key_type_id(map), value: bpf_map__btf_value_type_id(map), btf)
        }
        return layouts
    }

    /// The layouts of two types; `nil` when one of them cannot be told.
    static func mapLayout(key: UInt32, value: UInt32, _ btf: OpaquePointer) -> MapLayout? {
        guard let key = recordLayout(key, in: btf), let value = recordLayout(value, in: btf) else { return nil }
        return MapLayout(key: key, value: value)
    }

    /// The fields of a type, however deep; `nil` for types that no map of this project has: bit fields, pointers, unions.
    private static func recordLayout(_ type: UInt32, in btf: OpaquePointer) -> RecordLayout? {
        let size = btf__resolve_size(btf, type)
        guard type != 0, size > 0 else { return nil }
        var fields: [RecordLayout.Field] = []
        guard collect(type, path: "", at: 0, isNetworkOrder: false, depth: 0, in: btf, into: &fields) else {
            return nil
        }
        return RecordLayout(size: Int(size), fields: fields)
    }

    /// More than any map of this project has; what another version declares is not trusted to be finite.
    private static let mostFields = 1024
    private static let deepest = 16

    private static func collect(
        _ id: UInt32, path: String, at offset: Int, isNetworkOrder: Bool, depth: Int, in btf: OpaquePointer,
        into fields: inout [RecordLayout.Field]
    ) -> Bool {
        guard depth < deepest, fields.count < mostFields, let type = btf__type_by_id(btf, id) else { return false }
        let name = btf__name_by_offset(btf, type.pointee.name_off).map { String(cString: $0) } ?? ""
        let count = Int(type.pointee.info & 0xffff)
        switch Int(type.pointee.info >> 24 & 0x1f) {
        case Int(BTF_KIND_INT), Int(BTF_KIND_ENUM):
            fields.append(
                .init(name: path, offset: offset, size: Int(type.pointee.size), isNetworkOrder: isNetworkOrder))
            return true
        case Int(BTF_KIND_TYPEDEF), Int(BTF_KIND_CONST), Int(BTF_KIND_VOLATILE):
            // __be16 and __be32 are numbers like others but for their name.
            return collect(
                type.pointee.type, path: path, at: offset, isNetworkOrder: isNetworkOrder || name.hasPrefix("__be"),
                depth: depth + 1, in: btf, into: &fields)
        case Int(BTF_KIND_ARRAY):
            let array = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_array.self).pointee
            let size = Int(btf__resolve_size(btf, array.type))
            guard size > 0, array.nelems <= mostFields else { return false }
            return (0..<Int(array.nelems)).allSatisfy {
                collect(
                    array.type, path: "\(path)[\($0)]", at: offset + $0 * size, isNetworkOrder: isNetworkOrder,
                    depth: depth + 1, in: btf, into: &fields)
            }
        case Int(BTF_KIND_STRUCT):
            let members = UnsafeBufferPointer(
                start: UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self), count: count)
            return members.allSatisfy { member in
                let name = btf__name_by_offset(btf, member.name_off).map { String(cString: $0) } ?? ""
                // Padding carries nothing.
                if name == "pad" { return true }
                let hasBitFields = type.pointee.info >> 31 != 0
                guard !hasBitFields, member.offset % 8 == 0 else { return false }
                return collect(
                    member.type, path: path.isEmpty ? name : "\(path).\(name)", at: offset + Int(member.offset) / 8,
                    isNetworkOrder: isNetworkOrder, depth: depth + 1, in: btf, into: &fields)
            }
        default:
            return false
        }
    }
}
