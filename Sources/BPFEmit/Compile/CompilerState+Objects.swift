public import PolicyAPI
public import PolicyIR

/// The objects that a state is made of, one by one and all of them.
extension CompilerState {
    /// Takes one change. Nothing is compiled yet.
    mutating func take(_ change: ObjectChange, _ batch: inout Batch) {
        switch change {
        case .upsert(let object):
            upsert(object, &batch)
        case .delete(let key):
            delete(key, &batch)
        case .standIns(let policies, let key):
            delete(key, &batch)
            book.set(policies, for: key)
        case .name(let name, let addresses):
            names[name] = addresses.isEmpty ? nil : addresses
        case .ownAddresses(let addresses):
            ownAddresses = addresses
            index.setNode(localNode, localNodeObject)
            services.resolver.set(node: localNode, localNodeObject)
        case .ownNetworks(let networks):
            batch.addresses.formUnion(sharedAddresses)
            localNetworks = networks
            sharedAddresses = SharedAddresses.all(of: networks)
        }
    }

    private mutating func upsert(_ object: ClusterObject, _ batch: inout Batch) {
        switch object {
        // What stood for it while it was refused.
        case .namespace, .pod, .node: book.set([], for: object.key)
        case .service, .endpointSlice, .cidrGroup, .networkPolicy, .clusterPolicy, .ciliumPolicy: break
        }
        switch object {
        case .namespace(let namespace): setNamespace(namespace.metadata.name, namespace, &batch)
        case .pod(let pod): setPod(pod.metadata.name, in: pod.metadata.namespace, pod, &batch)
        case .node(let node): setNode(node.metadata.name, node)
        case .service(let service):
            setService(service.metadata.name, in: service.metadata.namespace, service)
        case .endpointSlice(let slice): setSlice(object.key, slice)
        case .cidrGroup(let group): book.set(group: group.metadata.name, group)
        case .networkPolicy, .clusterPolicy, .ciliumPolicy: book.set(object)
        }
    }

    private mutating func delete(_ key: ClusterObject.Key, _ batch: inout Batch) {
        // Policies are named by the kinds that they were set with; of another object it is what stood for it while it was refused.
        book.set([], for: key)
        switch key.kind {
        case "Namespace": setNamespace(key.name, nil, &batch)
        case "Pod": setPod(key.name, in: key.namespace, nil, &batch)
        case "Node": setNode(key.name, nil)
        case "Service": setService(key.name, in: key.namespace, nil)
        case "EndpointSlice": setSlice(key, nil)
        case "CiliumCIDRGroup": book.set(group: key.name, nil)
        default: break
        }
    }

    private mutating func setNamespace(_ name: String, _ namespace: Namespace?, _ batch: inout Batch) {
        namespaces[name] = namespace
        if index.setNamespace(name, namespace) { batch.namespaces.insert(name) }
    }

    private mutating func setNode(_ name: String, _ node: Node?) {
        if nodes[name] == node { return }
        nodes[name] = node
        let whole = name == localNode ? localNodeObject : node
        index.setNode(name, whole)
        services.resolver.set(node: name, whole)
    }

    private mutating func setService(_ name: String, in namespace: String, _ service: Service?) {
        book.set(service: name, in: namespace, service)
        services.resolver.set(ServiceName(namespace: namespace, name: name), service)
    }

    private mutating func setSlice(_ key: ClusterObject.Key, _ slice: EndpointSlice?) {
        let before = book.set(slice: key, slice)
        index.replaceSlice(before, by: slice)
        services.resolver.replace(before, by: slice)
    }

    private mutating func setPod(_ name: String, in namespace: String, _ pod: Pod?, _ batch: inout Batch) {
        let number = pods.number(of: name, in: namespace)
        let before = number.flatMap(pods.pod)
        if before == pod { return }
        for pod in [before, pod].compactMap(\.self) { services.resolver.note(pod) }
        // Readiness is the Services' business alone.
        if let number, let pod, before?.hasEqualPolicies(pod) == true { return pods.refresh(number, pod) }
        if let number, let before {
            let podClass = pods.podClass(number)
            let entry = PodTable.Entry(pod: before, podClass: podClass, isLocal: pods.local.contains(number))
            leave(number, entry, &batch)
        }
        guard let pod else {
            if let number { pods.remove(number) }
            return
        }
        let entry = entry(of: pod)
        enter(pods.set(entry, at: number), entry, &batch)
    }

    private mutating func enter(_ number: Int, _ entry: PodTable.Entry, _ batch: inout Batch) {
        if entry.pod.hostNetwork { index.setHostPod(entry.pod.qualifiedName, entry.pod) }
        guard let podClass = entry.podClass else { return }
        for address in entry.pod.addresses {
            claims.add(address, by: number)
            batch.addresses.insert(address)
        }
        if entry.pod.addresses.isEmpty { index.retain(index.remote(of: podClass, at: nil)) }
        guard entry.isLocal else { return }
        batch.entered.append(podClass)
        batch.changesEndpoints = true
    }

    private mutating func leave(_ number: Int, _ entry: PodTable.Entry, _ batch: inout Batch) {
        if entry.pod.hostNetwork { index.setHostPod(entry.pod.qualifiedName, nil) }
        guard let podClass = entry.podClass else { return }
        for address in entry.pod.addresses {
            claims.remove(address, by: number)
            batch.addresses.insert(address)
        }
        if entry.pod.addresses.isEmpty { index.release(index.remote(of: podClass, at: nil)) }
        guard entry.isLocal else { return }
        batch.left.append(podClass)
        batch.changesEndpoints = true
    }

    /// The objects in force, the local node with all of its addresses among them. O(objects).
    public var objects: ClusterObjects {
        var objects = objectsAsSet
        guard ownAddresses != nil, let node = localNodeObject else { return objects }
        objects.nodes.removeAll { $0.metadata.name == localNode }
        objects.nodes.append(node)
        return objects
    }

    /// The objects as they were set.
    var objectsAsSet: ClusterObjects {
        var objects = ClusterObjects()
        objects.namespaces = namespaces.sorted { $0.key < $1.key }.map(\.value)
        objects.pods = pods.pods
        objects.nodes = nodes.sorted { $0.key < $1.key }.map(\.value)
        objects.names = names
        objects.localNetworks = localNetworks
        book.add(to: &objects)
        return objects
    }

    /// The policies in force, lowered, by object. O(policies).
    public var policies: [LoweredPolicy] {
        book.policies.filter { $0.key != CompilerState.formerHostPolicies }.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
