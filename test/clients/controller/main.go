// A controller as controller-runtime's users write them: leader election, an event recorder, a typed kind of its own and
// an owned ConfigMap. Nothing in it knows which server it talks to.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var groupVersion = schema.GroupVersion{Group: "greenhouse.example.org", Version: "v1"}

// PlantSpec is what is wanted of a plant.
type PlantSpec struct {
	Water int32 `json:"water"`
}

// PlantStatus is what is.
type PlantStatus struct {
	ObservedGeneration int64  `json:"observedGeneration,omitempty"`
	Gardener           string `json:"gardener,omitempty"`
}

// Plant is the kind that is reconciled.
type Plant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              PlantSpec   `json:"spec,omitempty"`
	Status            PlantStatus `json:"status,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (in *Plant) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// PlantList is a list of them.
type PlantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Plant `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (in *PlantList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = nil
	for _, item := range in.Items {
		out.Items = append(out.Items, *item.DeepCopyObject().(*Plant))
	}
	return &out
}

type reconciler struct {
	client.Client
	id     string
	old    record.EventRecorder
	events events.EventRecorder
}

// Reconcile waters a plant: it keeps a ConfigMap that the plant owns, says so in the status, and records two events.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var plant Plant
	if err := r.Get(ctx, request.NamespacedName, &plant); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: plant.Name, Namespace: plant.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, config, func() error {
		config.Data = map[string]string{"water": fmt.Sprint(plant.Spec.Water)}
		return controllerutil.SetControllerReference(&plant, config, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if plant.Status.ObservedGeneration == plant.Generation {
		return ctrl.Result{}, nil
	}
	plant.Status = PlantStatus{ObservedGeneration: plant.Generation, Gardener: r.id}
	if err := r.Status().Update(ctx, &plant); err != nil {
		return ctrl.Result{}, err
	}
	r.old.Eventf(&plant, corev1.EventTypeNormal, "Watered", "given %d by %s", plant.Spec.Water, r.id)
	r.events.Eventf(&plant, config, corev1.EventTypeNormal, "Noted", "Note", "noted %d by %s", plant.Spec.Water, r.id)
	return ctrl.Result{}, nil
}

func main() {
	id := flag.String("id", "", "who this replica is, in the status of plants")
	namespace := flag.String("lease-namespace", "team", "where the lease is")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	if err := run(*id, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(id, namespace string) error {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	scheme.AddKnownTypes(groupVersion, &Plant{}, &PlantList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	seconds := func(count time.Duration) *time.Duration { count *= time.Second; return &count }
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "gardener.greenhouse.example.org",
		LeaderElectionNamespace: namespace,
		LeaseDuration:           seconds(8),
		RenewDeadline:           seconds(6),
		RetryPeriod:             seconds(1),
	})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).For(&Plant{}).Owns(&corev1.ConfigMap{}).Complete(&reconciler{
		Client: manager.GetClient(),
		id:     id,
		old:    manager.GetEventRecorderFor("gardener"),
		events: manager.GetEventRecorder("gardener"),
	})
	if err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
