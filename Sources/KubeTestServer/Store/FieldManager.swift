/// Which fields a client has written: `metadata.managedFields`, as far as patches of a status ask for it.
struct FieldManager: Sendable {
    /// A path of `fieldsV1`, for example `["f:status", "f:conditions", "k:{\"type\":\"Valid\"}", "f:status"]`.
    typealias Path = [String]

    var name: String
    /// Whether it applies (server-side) or updates.
    var applies: Bool
    var subresource: String?
    var apiVersion: String
    var time: String
    var paths: Set<Path>

    /// The entry of `managedFields`.
    func value(isCustom: Bool) -> JSONValue {
        var value: JSONValue = ["manager": .string(name), "operation": applies ? "Apply" : "Update"]
        value["apiVersion"] = .string(apiVersion)
        value["time"] = .string(time)
        value["fieldsType"] = "FieldsV1"
        value["fieldsV1"] = FieldManager.tree(paths)
        value["subresource"] = subresource.map { .string($0) }
        return isCustom ? value.sorted : value
    }

    private static func tree(_ paths: Set<Path>) -> JSONValue {
        var root: JSONValue = .object([])
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) { insert(path[...], into: &root) }
        return root
    }

    private static func insert(_ path: ArraySlice<String>, into value: inout JSONValue) {
        guard let first = path.first else { return }
        var inner = value[first] ?? .object([])
        insert(path.dropFirst(), into: &inner)
        value[first] = inner
    }

    /// The paths of everything in a value. Conditions are a map by type; other lists are one value. With `isUpdate` maps are
    /// named as well, as for a client that has made them.
    static func paths(of value: JSONValue, at path: Path = [], isUpdate: Bool) -> [Path: JSONValue] {
        var result: [Path: JSONValue] = [:]
        switch value {
        case .null, .boolean, .number, .string: result[path] = value
        case .array(let elements):
            guard path.last == "f:conditions", elements.allSatisfy({ $0["type"]?.text != nil }) else {
                result[path] = value
                break
            }
            if isUpdate { result[path + ["."]] = .null }
            for element in elements {
                let inner = path + ["k:{\"type\":\"\(element["type"]?.text ?? "")\"}"]
                result[inner + ["."]] = .null
                result.merge(paths(of: element, at: inner, isUpdate: false)) { first, _ in first }
            }
        case .object(let members):
            if isUpdate, !path.isEmpty { result[path + ["."]] = .null }
            if members.isEmpty, !path.isEmpty { result[path] = value }
            for member in members {
                result.merge(paths(of: member.value, at: path + ["f:\(member.key)"], isUpdate: isUpdate)) { first, _ in
                    first
                }
            }
        }
        return result
    }

    /// A path in words: `.status.conditions[type="Valid"].status`.
    static func words(_ path: Path) -> String {
        path.map { step in
            if step.hasPrefix("f:") { return ".\(step.dropFirst(2))" }
            guard step.hasPrefix("k:") else { return "" }
            let type = step.split(separator: "\"").dropFirst(3).first ?? ""
            return "[type=\"\(type)\"]"
        }.joined()
    }

    /// Sets the value at a path.
    static func set(_ path: ArraySlice<String>, to new: JSONValue, in value: inout JSONValue) {
        guard let first = path.first else {
            value = new
            return
        }
        guard first != "." else { return }
        if first.hasPrefix("k:") {
            let type = first.split(separator: "\"").dropFirst(3).first.map { String($0) } ?? ""
            var elements = value.elements ?? []
            let index =
                elements.firstIndex { $0["type"]?.text == type }
                ?? {
                    elements.append(["type": .string(type)])
                    return elements.count - 1
                }()
            set(path.dropFirst(), to: new, in: &elements[index])
            value = .array(elements)
        } else {
            let key = String(first.dropFirst(2))
            var inner = value[key] ?? .null
            set(path.dropFirst(), to: new, in: &inner)
            value[key] = inner
        }
    }

    /// Removes the value at a path.
    static func remove(_ path: ArraySlice<String>, in value: inout JSONValue) {
        guard let first = path.first else { return }
        let rest = path.dropFirst()
        if first.hasPrefix("k:") {
            let type = first.split(separator: "\"").dropFirst(3).first.map { String($0) } ?? ""
            guard var elements = value.elements, let index = elements.firstIndex(where: { $0["type"]?.text == type })
            else { return }
            if rest.first == "." { elements.remove(at: index) } else { remove(rest, in: &elements[index]) }
            value = .array(elements)
        } else if first.hasPrefix("f:") {
            let key = String(first.dropFirst(2))
            if rest.isEmpty {
                value[key] = nil
            } else if var inner = value[key] {
                remove(rest, in: &inner)
                value[key] = inner
            }
        }
    }
}
